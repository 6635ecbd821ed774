import { expect, test } from 'vitest'
import { answerApi } from '../../src/admin/api.ts'
import { type SessionJson, sessionRoutes } from '../../src/admin/sessions.ts'
import { memoryAudit } from '../support/audit.ts'

test('a stream that has ended before it could be closed is not said to be closed', async () => {
  const session: SessionJson = {
    id: '0000abcd-1',
    direction: 'in',
    state: 'authenticated',
    pairs: [],
    tls: null,
    certificate: null,
    address: null,
    since: new Date(0).toISOString(),
    stanzasIn: 0,
    stanzasOut: 0,
  }
  const close = async (isThere: boolean) => {
    const routes = sessionRoutes({ list: () => [session], close: () => isThere }, memoryAudit())
    const caller = { name: 'panel', role: 'administrator', from: 'local' } as const
    const request = { method: 'DELETE', url: `/sessions/${session.id}`, readBody: async () => undefined }
    return (await answerApi(routes, caller, request)).status
  }
  expect([await close(true), await close(false)]).toEqual([200, 404])
})
