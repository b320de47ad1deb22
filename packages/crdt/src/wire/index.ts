export { ByteReader } from './byte-reader.ts'
export { ByteWriter } from './byte-writer.ts'
export { type Codec, decode, encode } from './codec.ts'
export {
  boolean,
  bytes,
  float,
  list,
  literal,
  map,
  oneOf,
  optional,
  record,
  string,
  uint,
  union,
} from './combinators.ts'
export { checkValue, value, type ValueBounds } from './value.ts'
export { WireError, type WireErrorCode } from './wire-error.ts'
