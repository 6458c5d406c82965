/** Links that visitors have: each has to open as long as the page exists. Add to them, and change none. */
import type { State } from "../src/state.ts";

export const OLD_LINKS: readonly { fragment: string; state: Partial<State> }[] = [
  {
    fragment:
      "#v1=JY6xDsIwDAV_JfLcDqxe2RFiYCEMVmxVURunsl0YEP-OWtZ30t37gEtE1ckBwcTFXsK3TaM2cUwP27Q8s8IA727z0okBgdZ6F_PaFdPrlHWuypiunbM2CWIKwqwpKTXB1BfO6quUY7O_-7yQ--Xge-IoUCni-w_tMU5GGsIwwG7xlYoAQgi1keD7Aw",
    state: {
      settings: "reservedRuntimes: [runc]\n",
      workload: "apiVersion: v1\nkind: Pod\nmetadata:\n  name: old\nspec:\n  runtimeClassName: runc\n",
      access: "not-granted",
      namespace: "team-a",
    },
  },
];
