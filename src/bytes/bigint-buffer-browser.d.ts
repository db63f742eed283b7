// The package ships no types for its pure-JavaScript build; they are those of its main entry.
declare module 'bigint-buffer/dist/browser.js' {
  export { toBigIntBE, toBigIntLE, toBufferBE, toBufferLE } from 'bigint-buffer'
}
