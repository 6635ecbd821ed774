import { describe, expect, test } from 'vitest'
import { answerApi } from '../../src/admin/api.ts'
import { insideRoutes } from '../../src/admin/inside.ts'
import { noPrivileges } from '../../src/policy/privileges.ts'
import { configFolder } from '../support/config-folder.ts'
import { domain } from '../support/inbound-peer.ts'

describe('GET /inside', () => {
  test('tells what is granted to each partner domain, what is missing and what is wrong', async () => {
    const { load } = configFolder({
      'config/partners.yaml':
        'partners:\n  - { primaryDomain: fabrikam.com, additionalDomains: [it.fabrikam.com], partnerType: federated }\n',
    })
    const config = load()
    const local = domain('contoso.com')
    const missing = [{ local, remote: domain('it.fabrikam.com') }]
    const state = {
      faults: () => ['component it.fabrikam.com: not connected yet'],
      faultOf: () => undefined,
      privileges: ({ remote }: { remote: string }) =>
        remote === 'fabrikam.com' ? { presence: true, roster: true } : noPrivileges,
      missing: () => missing,
    }
    const viewer = { name: 'somebody', role: 'viewer', from: 'local' } as const
    const { status, body } = await answerApi(
      insideRoutes(state, () => config),
      viewer,
      { method: 'GET', url: '/inside', readBody: async () => undefined },
    )
    expect(status).toBe(200)
    expect(JSON.parse(body)).toEqual({
      faults: ['component it.fabrikam.com: not connected yet'],
      grants: [
        { local, remote: 'fabrikam.com', presence: true, roster: true },
        { local, remote: 'it.fabrikam.com', presence: false, roster: false },
      ],
      missing,
    })
  })
})
