/**
 * Runs work under a deadline, which the signal it is given tells it of.
 * @param ms from now
 * @param parent ends the work early, with its own reason
 * @throws what the work throws; it should be the signal's reason, a `TimeoutError` where the time was up
 */
export async function within<Result>(
  ms: number,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  parent?.throwIfAborted()
  const controller = new AbortController()
  const timer = setTimeout(
    () => controller.abort(new DOMException(`no answer in ${ms} ms`, 'TimeoutError')),
    ms,
  )
  const onAbort = () => controller.abort(parent?.reason)
  parent?.addEventListener('abort', onAbort, { once: true })
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
    parent?.removeEventListener('abort', onAbort)
    controller.abort() // ends what the work did not wait for
  }
}

/** Waits for work that goes on without us. @throws what the work throws, or the signal's reason */
export function unlessAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return work
  const { promise, reject, resolve } = Promise.withResolvers<Result>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  work.then(resolve, reject)
  return promise.finally(() => signal.removeEventListener('abort', onAbort))
}
