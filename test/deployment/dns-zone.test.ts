import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { escapeName } from '../../src/transport/dns-answer.ts'
import { runCommand } from '../support/command-host.ts'
import { configFolder } from '../support/config-folder.ts'
import { startZone, type ZoneRecord, type ZoneTable } from '../support/zone.ts'
import { describeWith } from './tools.ts'

const apex = `$TTL 3600
@ SOA ns.contoso.com. hostmaster.contoso.com. 1 3600 600 86400 60
@ NS ns.contoso.com.
ns.contoso.com. A 192.0.2.53
`

/** What BIND says of a zone of these records, after an operator has done as `dns` says: taken out and put in. */
async function mended(table: ZoneTable, given: readonly string[]) {
  const zone = await startZone(table)
  onTestFinished(() => zone.close())
  const { file } = configFolder({
    'config/gatehouse.yaml': `domains: { contoso.com: }
listen: [{ port: 5269 }, { port: 5270, directTls: true }]
dns: { servers: ['${zone.address}'], timeout: 1s }
`,
  })
  const { out } = await runCommand(['dns', '-c', file, ...given])
  const told = new Set(out.split('\n').map(line => keyOf(line.replace(/^; /, ''))))
  const untold = rowsOf(table).filter(row => !told.has(keyOf(row)))
  const zoneFile = join(dirname(file), 'zone')
  writeFileSync(zoneFile, `${apex}${untold.map(row => `${row}\n`).join('')}${out}`)
  const argv = ['contoso.com', zoneFile]
  const { status, stdout, stderr } = spawnSync('named-checkzone', argv, { encoding: 'utf8' })
  return { status, said: (stdout + stderr).trim().split('\n') }
}

function rowsOf(table: ZoneTable): string[] {
  return Object.entries(table).flatMap(([question, answer]) => {
    const [name, type] = question.split(' ')
    const records: readonly ZoneRecord[] = typeof answer === 'object' ? answer : []
    return records.map(record => {
      if (typeof record === 'string') return `${name}. 60 IN ${type} ${record}${type === 'CNAME' ? '.' : ''}`
      if ('value' in record) return `${name}. ${record.ttl} IN ${type} ${record.value}`
      return `${name}. ${record.ttl ?? 60} IN SRV 0 0 ${record.port} ${escapeName(record.target)}.`
    })
  })
}

/** A row without its TTL and its comment. */
function keyOf(row: string): string {
  const [name, , ...rest] = row.replace(/ +;.*$/, '').split(/ +/)
  return [name, ...rest].join(' ')
}

const host = 'xmpp.contoso.com'
const named = ['--host', host, '--address', '192.0.2.10', '--address', '192.0.2.1']
const starttls = '_xmpp-server._tcp.contoso.com'
const good = {
  [`${starttls} SRV`]: [{ port: 5269, target: host, ttl: 17 }],
  '_xmpps-server._tcp.contoso.com SRV': [{ port: 5270, target: host, ttl: 200 }],
} as const
const loaded = ['zone contoso.com/IN: loaded serial 1', 'OK']

describeWith(['named-checkzone'], 'a zone mended as dns says', () => {
  test.each<[string, ZoneTable]>([
    ['nothing was published', {}],
    ['an address was missing beside one', { ...good, [`${host} A`]: ['192.0.2.1'] }],
    [
      'records led to another port, and to no host name',
      {
        [`${starttls} SRV`]: [
          { port: 5299, target: host, ttl: 17 },
          { port: 5269, target: 'a;b c', ttl: 17 },
          { port: 5269, target: '192.0.2.9', ttl: 17 },
        ],
      },
    ],
    [
      'the host was an alias',
      { ...good, [`${host} CNAME`]: ['gw.contoso.com'], 'gw.contoso.com A': ['192.0.2.7'] },
    ],
    ['the host was an alias that leads nowhere', { ...good, [`${host} CNAME`]: ['gone.contoso.com'] }],
    ['a service was an alias that leads nowhere', { [`${starttls} CNAME`]: ['gone.example'] }],
    [
      'a service was an alias that leads to another port',
      { [`${starttls} CNAME`]: ['srv.contoso.com'], 'srv.contoso.com SRV': [{ port: 5299, target: host }] },
    ],
    [
      'a service was an alias that fits',
      { [`${starttls} CNAME`]: ['srv.contoso.com'], 'srv.contoso.com SRV': [{ port: 5269, target: host }] },
    ],
  ])('loads without a word where %s', async (_, table) => {
    expect(await mended(table, named)).toEqual({ status: 0, said: loaded })
  })

  test('loads where nobody has told the address, and lacks that alone', async () => {
    const { status, said } = await mended({ ...good, [`${host} CNAME`]: ['gone.contoso.com'] }, [])
    expect(status).toBe(0)
    expect(said.filter(line => !line.includes(`'${host}' has no address records`))).toEqual(loaded)
  })
})
