import { afterEach, expect, test } from 'vitest'
import { runCommand } from '../support/command-host.ts'
import { configFolder } from '../support/config-folder.ts'
import type { Peer } from '../support/server-process.ts'
import { describeInterop, startPeer } from './servers.ts'

const secret = 'between gateway and server inside'

describeInterop('a real server that refuses a component', () => {
  let server: Peer | undefined
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(server?.process.tail())
    await server?.stop()
    server = undefined
  })

  /** What `check` says of a partner's domain at a server that knows fabrikam.com alone. */
  async function checked(kind: 'prosody' | 'ejabberd', domain: string, withSecret = secret): Promise<string> {
    server ??= await startPeer[kind]({
      domain: 'contoso.example',
      users: {},
      components: { domains: ['fabrikam.com'], secret },
    })
    const { file } = configFolder({
      'config/gatehouse.yaml': `domains: { contoso.com: { selfSigned: true } }
trust: { system: false }
internal: { connector: component, host: 127.0.0.1, port: ${server.componentPort}, secret: ${withSecret} }
`,
      'config/partners.yaml': `partners: [{ primaryDomain: ${domain}, partnerType: publicUnverified }]\n`,
    })
    const { err } = await runCommand(['check', '--config', file])
    return err
  }

  const toldOf = /it has to be told of this domain \(docs\/inside\.md\)/
  const secretOrDomain = /is internal\.secret .* has it been told of this domain\? \(docs\/inside\.md\)/
  const ownDomain = /the domain is one of its own \(docs\/inside\.md\)/

  test.each([
    { kind: 'prosody', unknown: /component corp\.fabrikam\.com: .*: host-unknown/, hint: toldOf },
    { kind: 'ejabberd', unknown: /component corp\.fabrikam\.com: .*: not-authorized/, hint: secretOrDomain },
  ] as const)('says so, as $kind does, of a domain and of a secret that it does not know', async of => {
    expect(await checked(of.kind, 'fabrikam.com')).not.toContain('component ')
    const unknown = await checked(of.kind, 'corp.fabrikam.com')
    expect(unknown).toMatch(of.unknown)
    expect(unknown).toMatch(of.hint)
    const wrong = await checked(of.kind, 'fabrikam.com', 'wrong')
    expect(wrong).toMatch(/internal\.secret: warning: component fabrikam\.com: .*: not-authorized/)
    expect(wrong).toMatch(secretOrDomain)
  })

  test('is ejabberd, of a domain of its own', async () => {
    const conflict = await checked('ejabberd', 'contoso.example')
    expect(conflict).toMatch(/component contoso\.example: .*: conflict/)
    expect(conflict).toMatch(ownDomain)
  })
})
