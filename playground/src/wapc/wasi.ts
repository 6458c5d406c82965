/** The functions of WASI that a Rust module without files and sockets imports. */

/** The most bytes that `crypto.getRandomValues` gives at once. */
const RANDOM_CHUNK = 65_536;

/** The module ended itself, which it never does unless it has a bug. */
export class Exited extends Error {}

/**
 * @param memory the memory of the instance, read at each call: it moves when it grows
 * @param console receives what the module prints
 */
export function wasi(memory: () => ArrayBuffer, console: (text: string) => void): WebAssembly.ModuleImports {
  const view = () => new DataView(memory());
  const nothing = (count: number, size: number) => (view().setUint32(count, 0), view().setUint32(size, 0), 0);
  return {
    environ_get: () => 0,
    environ_sizes_get: nothing,
    sched_yield: () => 0,
    args_get: () => 0,
    args_sizes_get: nothing,
    clock_time_get: (_clock: number, _precision: bigint, at: number) => (view().setBigUint64(at, BigInt(Date.now()) * 1_000_000n, true), 0),
    random_get(address: number, length: number) {
      for (let at = 0; at < length; at += RANDOM_CHUNK) {
        crypto.getRandomValues(new Uint8Array(memory(), address + at, Math.min(RANDOM_CHUNK, length - at)));
      }
      return 0;
    },
    fd_write(_file: number, slices: number, count: number, written: number) {
      const u32 = (address: number) => view().getUint32(address, true);
      const parts = Array.from({ length: count }, (_, at) => new Uint8Array(memory(), u32(slices + 8 * at), u32(slices + 8 * at + 4)));
      const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
      console(new TextDecoder().decode(bytes));
      view().setUint32(written, bytes.length, true);
      return 0;
    },
    proc_exit(code: number) {
      throw new Exited(`the module exited with code ${code}`);
    },
  };
}
