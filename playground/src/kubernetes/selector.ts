/** [Label selectors](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/). */

export interface Selector {
  matchLabels?: Record<string, string> | null;
  matchExpressions?: Requirement[] | null;
}

export interface Requirement {
  key: string;
  operator: string;
  values?: string[] | null;
}

/** The label of a namespace's name, which the API server sets. */
export const NAMESPACE_NAME = "kubernetes.io/metadata.name";

export function selects(selector: Selector, label: (key: string) => string | undefined): boolean {
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => label(key) === value) &&
    (selector.matchExpressions ?? []).every((requirement) => isMet(requirement, label(requirement.key)))
  );
}

/** Whether a selector looks at other labels of a namespace that its name does not leave out. */
export function needsLabelsOf(namespace: string, { matchExpressions }: Selector): boolean {
  const requirements = matchExpressions ?? [];
  const isByName = ({ key }: Requirement) => key === NAMESPACE_NAME;
  const isLeftOut = requirements.some((requirement) => isByName(requirement) && !isMet(requirement, namespace));
  return !isLeftOut && !requirements.every(isByName);
}

function isMet({ operator, values }: Requirement, label: string | undefined): boolean {
  const isListed = label !== undefined && (values ?? []).includes(label);
  switch (operator) {
    case "In":
      return isListed;
    case "NotIn":
      return !isListed;
    case "Exists":
      return label !== undefined;
    default:
      return label === undefined;
  }
}
