/**
 * Spreads what all sites do periodically over the period: the delay of a site's first run, in
 * milliseconds, whole seconds below `intervalMs`. The same on every node and after every restart, so
 * that a site keeps its place (the 31-hash of Java's strings, modulo the period's seconds).
 */
export function staggerMs(siteId: string, intervalMs: number): number {
  let hash = 0
  for (let i = 0; i < siteId.length; i++) hash = (Math.imul(hash, 31) + siteId.charCodeAt(i)) | 0
  return (Math.abs(hash) % Math.max(1, Math.floor(intervalMs / 1_000))) * 1_000
}
