import { describe, expect, test } from 'vitest'
import { runCommand } from '../support/command-host.ts'
import { configFolder } from '../support/config-folder.ts'
import { InsideServer, type InsideStream } from '../support/inside-server.ts'

/** A configuration for that server, with one federated partner; nobody runs with it. */
function folderFor(inside: InsideServer, secret = inside.secret) {
  return configFolder({
    'config/gatehouse.yaml': `domains:
  contoso.com: { selfSigned: true }
trust: { system: false }
internal:
  connector: component
  host: 127.0.0.1
  port: ${inside.port}
  secret: ${secret}
`,
    'config/partners.yaml':
      'partners:\n  - { primaryDomain: fabrikam.com, partnerType: federated }\n' +
      '  - { primaryDomain: adatum.com, partnerType: publicUnverified }\n',
  })
}

/** The warnings of `check` that are about the inside. */
async function warnings(file: string): Promise<string[]> {
  const { status, err } = await runCommand(['check', '--config', file])
  expect(status).toBe(0)
  return err.split('\n').filter(line => line.includes(': internal.'))
}

const grant = (type: string) =>
  `<message from='contoso.com' to='fabrikam.com'><privilege xmlns='urn:xmpp:privilege:2'><perm access='presence' type='${type}'/></privilege></message>`

/** Ends the stream when the far end does. */
function endsWith(stream: InsideStream): void {
  void stream.streamEnd().then(() => stream.end('</stream:stream>'))
}

describe('check, while the gateway does not run, is for a short time what it would be, and', () => {
  test('is content where presence is granted', async () => {
    const inside = await InsideServer.start()
    const found = warnings(folderFor(inside).file)
    const [stream, other] = await Promise.all(['fabrikam.com', 'adatum.com'].map(of => inside.component(of)))
    for (const one of [stream!, other!]) endsWith(one)
    other!.send(grant('managed_entity')) // as ejabberd may send it
    expect(await found).toEqual([])
    await stream!.closed()
  })

  test('warns where it is not', async () => {
    const inside = await InsideServer.start()
    const found = warnings(folderFor(inside).file)
    const stream = await inside.component('fabrikam.com')
    for (const one of [stream, await inside.component('adatum.com')]) endsWith(one)
    stream.send(grant('none'))
    expect(await found).toEqual([
      expect.stringMatching(
        /gatehouse\.yaml:5:3: internal\.connector: warning: contact requests from fabrikam\.com go to the users of contoso\.com for an answer: .*docs\/inside\.md/,
      ),
    ])
  })

  test('warns of a secret that the server does not know', async () => {
    const inside = await InsideServer.start()
    const found = await warnings(folderFor(inside, 'wrong').file)
    expect(found).toEqual(
      ['fabrikam.com', 'adatum.com'].map(domain =>
        expect.stringMatching(`:8:3: internal\\.secret: warning: component ${domain}: .*not-authorized`),
      ),
    )
  })

  test('loses nothing that comes meanwhile', async () => {
    const inside = await InsideServer.start()
    const found = warnings(folderFor(inside).file)
    const stream = await inside.component('fabrikam.com')
    for (const one of [stream, await inside.component('adatum.com')]) endsWith(one)
    const both = "from='romeo@contoso.com' to='juliet@fabrikam.com'"
    const words = ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed']
    stream.send(
      `<message ${both} id='1'><body>hi</body></message><presence ${both} id='online'/>` +
        words.map(word => `<presence ${both} type='${word}' id='${word}'/>`).join(''),
    )
    const back = { type: 'error', from: 'juliet@fabrikam.com', to: 'romeo@contoso.com' }
    expect((await stream.next('message')).attributes).toEqual({ ...back, id: '1' })
    for (const id of words) expect((await stream.next('presence')).attributes).toEqual({ ...back, id })
    await found
  })
})
