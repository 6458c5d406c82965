/** A host for modules that speak [waPC](https://wapc.io/docs/spec/). */
import { wasi } from "./wasi.ts";

/** What a module asks of its host. */
export interface HostCall {
  binding: string;
  namespace: string;
  operation: string;
  payload: string;
}

export type HostAnswer = { payload: string } | { error: string };

/** The module returned an error instead of an answer. */
export class GuestError extends Error {}

interface Guest extends WebAssembly.Exports {
  memory: WebAssembly.Memory;
  wapc_init(): void;
  __guest_call(operationLength: number, payloadLength: number): number;
}

/**
 * Calls `operation` in a fresh instance, as policy-server does each time.
 *
 * @throws GuestError the module says that it failed
 * @throws Error the module trapped
 */
export function call(
  module: WebAssembly.Module,
  operation: string,
  payload: string,
  answer: (call: HostCall) => HostAnswer,
): string {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const request = { operation: encoder.encode(operation), payload: encoder.encode(payload) };
  const none = new Uint8Array();
  let guestResponse = "";
  let guestError = "";
  let hostResponse = none;
  let hostError = none;

  // A fresh view at each access: the old one is detached when the memory grows.
  const memory = () => guest.memory.buffer;
  const write = (address: number, bytes: Uint8Array) => new Uint8Array(memory()).set(bytes, address);
  const read = (address: number, length: number) => decoder.decode(new Uint8Array(memory(), address, length));

  const wapc = {
    __guest_request(operationAt: number, payloadAt: number) {
      write(operationAt, request.operation);
      write(payloadAt, request.payload);
    },
    __guest_response: (address: number, length: number) => void (guestResponse = read(address, length)),
    __guest_error: (address: number, length: number) => void (guestError = read(address, length)),
    __host_call(...at: [number, number, number, number, number, number, number, number]) {
      const answered = answer({
        binding: read(at[0], at[1]),
        namespace: read(at[2], at[3]),
        operation: read(at[4], at[5]),
        payload: read(at[6], at[7]),
      });
      const failed = "error" in answered;
      hostError = failed ? encoder.encode(answered.error) : none;
      hostResponse = failed ? none : encoder.encode(answered.payload);
      return failed ? 0 : 1;
    },
    __host_response: (address: number) => write(address, hostResponse),
    __host_response_len: () => hostResponse.length,
    __host_error: (address: number) => write(address, hostError),
    __host_error_len: () => hostError.length,
    __console_log: (address: number, length: number) => console.info(read(address, length)),
  };

  const imports = { wapc, wasi_snapshot_preview1: wasi(memory, console.info) };
  const guest = new WebAssembly.Instance(module, imports).exports as Guest;
  guest.wapc_init();
  if (guest.__guest_call(request.operation.length, request.payload.length) !== 1) {
    throw new GuestError(guestError);
  }
  return guestResponse;
}
