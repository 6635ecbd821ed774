import { randomBytes } from 'node:crypto'
import { readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const retryMs = 20
/** A process of the same number may have been there before this one: in a container it is always the same. */
const ownMark = randomBytes(6).toString('hex')

/** A lock that is held. */
export type FileLock = {
  /** False = somebody has taken it away by hand. */
  readonly isHeld: () => boolean
  readonly release: () => void
}

/**
 * Takes a lock: a symbolic link that leads nowhere and names its process, so that it says who holds it from the moment
 * it is there. One whose process has ended, on this machine, is taken over.
 * @returns undefined = somebody else has held it all the time
 * @throws {Error} when it cannot be made
 */
export async function takeLock(path: string, patienceMs: number): Promise<FileLock | undefined> {
  for (let waitedMs = 0; ; waitedMs += retryMs) {
    try {
      const own = `${process.pid}.${ownMark}.${randomBytes(6).toString('hex')}@${hostname()}`
      symlinkSync(own, path)
      const isHeld = () => holderOf(path) === own
      return { isHeld, release: () => (isHeld() ? rmSync(path, { force: true }) : undefined) }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    if (clearStale(path)) continue
    if (waitedMs >= patienceMs) return undefined
    await sleep(retryMs)
  }
}

/** Moves a lock away whose process is gone. @returns was it one? */
function clearStale(path: string): boolean {
  const holder = holderOf(path)
  if (holder === undefined || !isGone(holder)) return false
  const away = `${path}.${ownMark}`
  try {
    renameSync(path, away)
  } catch {
    return false // somebody else was faster
  }
  const moved = holderOf(away)
  rmSync(away, { force: true })
  // Faster still, somebody has taken it over in between: it is his, and he finds it missing before he writes.
  return moved === holder
}

function holderOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

function isGone(holder: string): boolean {
  const [, pid, mark, host] = /^(\d+)\.([0-9a-f]+)\.[0-9a-f]+@(.*)$/.exec(holder) ?? []
  if (pid === undefined || host !== hostname()) return false
  if (Number(pid) === process.pid) return mark !== ownMark
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}
