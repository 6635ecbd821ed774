import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'

const main = new URL('../../demo/main.ts', import.meta.url).pathname
const ours = 'contoso.example'

describe('the demo', () => {
  let chapters: readonly string[] = []

  beforeAll(async () => {
    // Ends it, and so fails, unless it exits with 0 within the time.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main], { timeout: 10_000 })
    expect(stderr).toBe('')
    chapters = stdout.split(/^(?==== )/m)
  })

  test.each([
    ['1. SASL EXTERNAL over TLS', 'fabrikam.example', 'sasl-external-tls', 'TLSv1.3', 'valid'],
    ['2. Dialback over TLS', 'northwind.example', 'dialback-tls', 'TLSv1.3', 'invalid'],
    ['3. Dialback over TCP', 'woodgrove.example', 'dialback-tcp', undefined, undefined],
  ] as const)(
    'shows %s: both sides authenticated by it, and the echo',
    (title, partner, method, tls, certificate) => {
      const chapter = chapters.find(text => text.startsWith(`=== ${title} `)) ?? ''
      const proofs = chapter.match(/(?<=^ {2}✔ {3}).*/gm) ?? []
      const how = (of: string, standing: string | undefined) =>
        `${method} (${tls === undefined ? 'in clear text' : `${tls}, the certificate of ${of} is ${standing}`})`
      expect(proofs.toSorted()).toEqual(
        [
          `${partner} has authenticated ${ours}: ${how(ours, 'valid')}`,
          `${ours} has proven itself to ${partner}: ${how(partner, certificate)}`,
          `${ours} has authenticated ${partner}: ${how(partner, certificate)}`,
          `${partner} has proven itself to ${ours}: ${how(ours, 'valid')}`,
        ].toSorted(),
      )
      expect(chapter).toContain(`echo@${partner} answers alice@${ours}: Hello, ${partner}!`)
    },
  )

  test('lets nothing be read on the way where TLS is in use, and everything where it is not', () => {
    const readable = chapters.filter(chapter => chapter.includes('<body>'))
    expect(readable.map(chapter => chapter.slice(0, 25))).toEqual(['=== 3. Dialback over TCP '])
  })
})
