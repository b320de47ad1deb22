import { encode } from '../wire/codec.ts'
import { checkUserValue, valueCodec } from './stamped.ts'

/**
 * A text that is the same for elements of equal content and different otherwise. Texts stand for
 * themselves, because nearly all elements are texts. Throws `INVALID_VALUE` for what is not plain data.
 */
export function elementKey(element: unknown): string {
  checkUserValue(element)
  if (typeof element === 'string' && !element.startsWith(MARK)) return element
  let key = MARK
  for (const byte of encode(valueCodec, element)) key += String.fromCharCode(byte)
  return key
}

const MARK = '\u0000'
