/** A host for modules that speak [waPC](https://wapc.io/docs/spec/). */
import { wasi } from "./wasi.ts";

/** What a module asks of its host: `policy/validate`, say, and a payload. */
export type HostCalls = (operation: string, payload: Uint8Array) => Uint8Array<ArrayBuffer>;

/** Calls an operation of an instance. */
export type Guest = (operation: string, payload: Uint8Array) => Uint8Array<ArrayBuffer>;

/** The module returned an error instead of an answer. */
export class GuestError extends Error {}

interface Exports extends WebAssembly.Exports {
  memory: WebAssembly.Memory;
  wapc_init(): void;
  __guest_call(operationLength: number, payloadLength: number): number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NONE = new Uint8Array();

/** A fresh instance. What `answer` throws is an error that the module hears of. */
export function instantiate(module: WebAssembly.Module, answer: HostCalls): Guest {
  let request = { operation: NONE as Uint8Array, payload: NONE as Uint8Array };
  let response = NONE;
  let error = "";
  let hostResponse = NONE;
  let hostError = NONE;

  // A fresh view at each access: the old one is detached when the memory grows.
  const memory = () => exports.memory.buffer;
  const write = (address: number, bytes: Uint8Array) => new Uint8Array(memory()).set(bytes, address);
  const read = (address: number, length: number) => new Uint8Array(memory(), address, length);
  const text = (address: number, length: number) => decoder.decode(read(address, length));

  const wapc = {
    __guest_request(operationAt: number, payloadAt: number) {
      write(operationAt, request.operation);
      write(payloadAt, request.payload);
    },
    __guest_response: (address: number, length: number) => void (response = read(address, length).slice()),
    __guest_error: (address: number, length: number) => void (error = text(address, length)),
    __host_call(...at: [number, number, number, number, number, number, number, number]) {
      try {
        hostResponse = answer(`${text(at[2], at[3])}/${text(at[4], at[5])}`, read(at[6], at[7]));
        return 1;
      } catch (failed) {
        hostError = encoder.encode((failed as Error).message);
        return 0;
      }
    },
    __host_response: (address: number) => write(address, hostResponse),
    __host_response_len: () => hostResponse.length,
    __host_error: (address: number) => write(address, hostError),
    __host_error_len: () => hostError.length,
    __console_log: (address: number, length: number) => console.info(text(address, length)),
  };

  const imports = { wapc, wasi_snapshot_preview1: wasi(memory, console.info) };
  const exports = new WebAssembly.Instance(module, imports).exports as Exports;
  exports.wapc_init();
  return (operation, payload) => {
    request = { operation: encoder.encode(operation), payload };
    if (exports.__guest_call(request.operation.length, payload.length) !== 1) throw new GuestError(error);
    return response;
  };
}
