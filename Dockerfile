# The command for other CI systems: docker run --rm -v "$PWD:/work" IMAGE rehearse -f policy.yml manifests
# The release workflow puts the archives of make dist there.
FROM scratch
ARG TARGETARCH
ADD target/archives/linux-$TARGETARCH.tar.gz /
USER 65532:65532
# For what is read from standard input.
WORKDIR /tmp
WORKDIR /work
ENTRYPOINT ["/kubectl-runtime_class"]
