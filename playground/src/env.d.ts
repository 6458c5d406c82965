declare module "*?worker&url" {
  const url: string;
  export default url;
}

declare module "virtual:first-answer" {
  const answer: { policies: import("./answers.ts").KnownPolicy[]; reviews: import("./answers.ts").Reviews };
  export default answer;
}

/** What a worker has to read files with. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}
