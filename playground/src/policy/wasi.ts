/** The functions of WASI that a Rust module without files, sockets or a clock imports. */

/** The most bytes that `crypto.getRandomValues` gives at once. */
const RANDOM_CHUNK = 65_536;

/** The module ended itself, which a policy never does unless it has a bug. */
export class Exited extends Error {
  constructor(code: number) {
    super(`the module exited with code ${code}`);
  }
}

/**
 * @param memory the memory of the instance, read at each call: it moves when it grows
 * @param console receives what the module prints
 */
export function wasi(memory: () => ArrayBuffer, console: (text: string) => void): WebAssembly.ModuleImports {
  const u32 = (address: number, value: number) => new DataView(memory()).setUint32(address, value, true);
  const nothing = (count: number, size: number) => (u32(count, 0), u32(size, 0), 0);

  return {
    environ_get: () => 0,
    environ_sizes_get: nothing,
    args_get: () => 0,
    args_sizes_get: nothing,
    random_get(address: number, length: number) {
      for (let at = 0; at < length; at += RANDOM_CHUNK) {
        crypto.getRandomValues(new Uint8Array(memory(), address + at, Math.min(RANDOM_CHUNK, length - at)));
      }
      return 0;
    },
    fd_write(_file: number, slices: number, count: number, written: number) {
      const view = new DataView(memory());
      const decoder = new TextDecoder();
      let text = "";
      let total = 0;
      for (let slice = slices; slice < slices + 8 * count; slice += 8) {
        const length = view.getUint32(slice + 4, true);
        text += decoder.decode(new Uint8Array(memory(), view.getUint32(slice, true), length), { stream: true });
        total += length;
      }
      console(text + decoder.decode());
      u32(written, total);
      return 0;
    },
    proc_exit(code: number) {
      throw new Exited(code);
    },
  };
}
