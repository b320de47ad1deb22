/** Every failure this package throws or rejects with. Each code is explained in docs/errors.md. */
export type ClusterErrorCode =
  | 'ADDRESS_IN_USE'
  | 'ALREADY_STARTED'
  | 'CLUSTER_NOT_STARTED'
  | 'CLUSTER_SHUT_DOWN'
  | 'INSECURE_BIND'
  | 'INVALID_ADDRESS'
  | 'INVALID_SETTING'
  | 'JOIN_TIMED_OUT'
  | 'LISTEN_FAILED'
  | 'WEAK_SECRET'

export class ClusterError extends Error {
  override readonly name = 'ClusterError'
  readonly code: ClusterErrorCode

  constructor(code: ClusterErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

export function clusterError(
  code: ClusterErrorCode,
  message: string,
  options?: { readonly cause?: unknown },
): ClusterError {
  return new ClusterError(code, message, options)
}

/** Why `where` cannot be listened at, in words that say what to do. */
export function listenError(where: string, cause: unknown): ClusterError {
  if ((cause as { readonly code?: string }).code === 'EADDRINUSE') {
    return clusterError(
      'ADDRESS_IN_USE',
      `${where} is in use by another program; stop it, or choose another port`,
      { cause },
    )
  }
  return clusterError('LISTEN_FAILED', `cannot listen at ${where}: ${(cause as Error).message}`, {
    cause,
  })
}
