import { userInfo } from 'node:os'
import type { Caller } from '../admin/api.ts'
import { localOperator } from '../admin/socket.ts'
import type { Host } from './host.ts'

/** Who runs this command: the local operator, and the user of the system that he is; behind sudo, who called it. */
export function operatorOf({ env }: Pick<Host, 'env'>): Caller {
  const { SUDO_USER: sudoUser } = env
  return { ...localOperator, os: { user: nameOfUser(), ...(sudoUser ? { sudoUser } : {}) } }
}

function nameOfUser(): string {
  try {
    return userInfo().username
  } catch {
    return 'a user without a name' // as in a container that runs as any number
  }
}
