/** Longest id of a site, slot, campaign or creative. */
export const ID_LENGTH_MAX = 128
/** Longest address of a page, an asset or a landing page. */
export const URL_LENGTH_MAX = 1_024

/**
 * Why `text` cannot be an id, or undefined when it can. The answer never repeats the text: it may
 * come from a stranger and end in a log.
 *
 * Ids become parts of keys, urls and log lines. The bar separates them in keys; control characters
 * and marks that turn the direction of writing would let one line pretend to be another.
 */
export function identifierFault(text: string): string | undefined {
  if (text.length === 0) return 'is empty'
  if (text.length > ID_LENGTH_MAX) return `is longer than ${ID_LENGTH_MAX} characters`
  if (text.includes('|')) return 'contains a bar (|)'
  return textFault(text)
}

/** The same for web addresses: `http` or `https`, or a path that starts with a slash. */
export function urlFault(text: string): string | undefined {
  if (text.length === 0) return 'is empty'
  if (text.length > URL_LENGTH_MAX) return `is longer than ${URL_LENGTH_MAX} characters`
  // A path that starts with two slashes (or a backslash) leads to another host.
  if (!/^(?:https?:\/\/[^/\\]|\/(?![/\\]))/.test(text))
    return 'is neither an http(s) address nor a path'
  if (text.includes(' ')) return 'contains a space'
  return textFault(text)
}

/** Characters that have no place in an id, an address or a log line. */
function textFault(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- finding control characters is what it is for
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)) return 'contains control characters'
  if (/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(text)) return 'contains direction marks'
  if (/\p{Surrogate}/u.test(text)) return 'contains half a character'
  return undefined
}
