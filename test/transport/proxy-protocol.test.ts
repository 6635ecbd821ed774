import { describe, expect, test } from 'vitest'
import { readProxyHeader } from '../../src/transport/proxy-protocol.ts'
import { binaryHeader, headerFrom, signature } from '../support/proxy-header.ts'

const stream = Buffer.from("<?xml version='1.0'?><stream:stream>")
const ipv6 = (source: string) => Buffer.from(`${source.padEnd(64, '0')}14951495`, 'hex')
const full = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'

const good: readonly (readonly [header: string | Buffer, source: string | undefined])[] = [
  ['PROXY TCP4 192.0.2.7 198.51.100.1 56324 5269\r\n', '192.0.2.7'],
  ['PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n', '255.255.255.255'],
  ['PROXY TCP6 2001:db8::7 2001:DB8::1 56324 5269\r\n', '2001:db8::7'],
  ['PROXY TCP6 2001:0DB8:0:0:0:0:0:7 ::1 1 1\r\n', '2001:db8::7'],
  [`PROXY TCP6 ${full} ${full} 65535 65535\r\n`, full],
  // A balancer with one socket for both families.
  ['PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 1 1\r\n', '192.0.2.7'],
  ['PROXY TCP6 0:0:0:0:0:FFFF:c000:0207 ::1 1 1\r\n', '192.0.2.7'],
  ['PROXY UNKNOWN\r\n', undefined],
  [`PROXY UNKNOWN ${full} ${full} 65535 65535\r\n`, undefined], // 107 bytes, the longest of all
  ['PROXY UNKNOWN whatever it says\r\n', undefined],
  [headerFrom('192.0.2.7'), '192.0.2.7'],
  [headerFrom('192.0.2.7', Buffer.from('040003000000', 'hex')), '192.0.2.7'],
  [headerFrom('192.0.2.7', Buffer.alloc(4096 - 16 - 12)), '192.0.2.7'],
  [binaryHeader(0x21, 0x21, ipv6('20010db8000000000000000000000007')), '2001:db8::7'],
  [binaryHeader(0x21, 0x21, ipv6('00000000000000000000ffffc0000207')), '192.0.2.7'],
  // LOCAL, whatever the family says: the balancer looks whether we are there.
  [binaryHeader(0x20, 0x00, Buffer.alloc(0)), undefined],
  [binaryHeader(0x20, 0x11, Buffer.alloc(12)), undefined],
  [binaryHeader(0x20, 0xff, Buffer.alloc(300)), undefined],
  // UNSPEC, UDP, and both of UNIX: valid, and no address of a TCP connection.
  [binaryHeader(0x21, 0x00, Buffer.alloc(0)), undefined],
  [binaryHeader(0x21, 0x00, Buffer.alloc(40)), undefined],
  [binaryHeader(0x21, 0x12, Buffer.alloc(12, 1)), undefined],
  [binaryHeader(0x21, 0x22, Buffer.alloc(36, 1)), undefined],
  [binaryHeader(0x21, 0x31, Buffer.alloc(216, 1)), undefined],
  [binaryHeader(0x21, 0x32, Buffer.alloc(216, 1)), undefined],
]

const bad: readonly (readonly [header: string | Buffer, reason: RegExp])[] = [
  ['<stream:stream>', /does not begin with/],
  ['proxy TCP4 192.0.2.7 198.51.100.1 1 1\r\n', /does not begin with/],
  ['PROXYTCP4', /does not begin with/],
  ['\x16\x03\x01', /does not begin with/],
  ['\r\n\r\n\0\r\nQUIT\r', /does not begin with/],
  [`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`, /longer than 107 bytes/],
  ['PROXY TCP4 '.padEnd(107, '1'), /longer than 107 bytes/],
  ['PROXY TCP4 192.0.2.7 198.51.100.1 1 1\n\r\n', /malformed/],
  ['PROXY TCP4  192.0.2.7 198.51.100.1 1 1\r\n', /malformed/],
  ['PROXY TCP4 192.0.2.7 198.51.100.1 1 1 \r\n', /malformed/],
  ['PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n', /malformed/],
  ['PROXY TCP4 192.0.2.7 198.51.100.1 01 1\r\n', /malformed/],
  ['PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n', /malformed/],
  ['PROXY TCP4 192.0.2.007 198.51.100.1 1 1\r\n', /malformed/],
  ['PROXY TCP4 192.0.2.256 198.51.100.1 1 1\r\n', /malformed/],
  ['PROXY TCP4 192.0.2 198.51.100.1 1 1\r\n', /malformed/],
  ['PROXY TCP4 2001:db8::7 2001:db8::1 1 1\r\n', /malformed/],
  ['PROXY TCP6 192.0.2.7 198.51.100.1 1 1\r\n', /malformed/],
  ['PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n', /malformed/],
  ['PROXY TCP6 1::2::3 ::1 1 1\r\n', /malformed/],
  ['PROXY TCP6 [::1] ::1 1 1\r\n', /malformed/],
  ['PROXY UDP4 192.0.2.7 198.51.100.1 1 1\r\n', /malformed/],
  ['PROXY UNKNOWNS\r\n', /malformed/],
  ['PROXY \r\n', /malformed/],
  [binaryHeader(0x11, 0x11, Buffer.alloc(12)), /version 1/],
  [binaryHeader(0x31, 0x11, Buffer.alloc(12)), /version 3/],
  [binaryHeader(0x22, 0x11, Buffer.alloc(12)), /command 2/],
  [binaryHeader(0x21, 0x41, Buffer.alloc(36)), /unknown family or protocol/],
  [binaryHeader(0x21, 0x13, Buffer.alloc(12)), /unknown family or protocol/],
  [binaryHeader(0x21, 0x11, Buffer.alloc(11)), /too short/],
  [binaryHeader(0x21, 0x21, Buffer.alloc(35)), /too short/],
  [binaryHeader(0x21, 0x31, Buffer.alloc(215)), /too short/],
  [binaryHeader(0x21, 0x11, Buffer.alloc(0), 4081), /longer than 4096 bytes/],
  [binaryHeader(0x20, 0x00, Buffer.alloc(0), 65_535), /longer than 4096 bytes/],
]

const written = (header: string | Buffer): Buffer => Buffer.from(header as string, 'latin1')

describe('a PROXY header', () => {
  test.each(good)('%j names %s', (header, source) => {
    const bytes = written(header)
    const complete = { is: 'complete', bytes: bytes.length, source }
    expect(readProxyHeader(bytes)).toEqual(complete)
    expect(readProxyHeader(Buffer.concat([bytes, stream]))).toEqual(complete)
  })

  test.each(good)('%j is incomplete at every cut', header => {
    const bytes = written(header)
    for (let cut = 0; cut < bytes.length; cut++)
      expect(readProxyHeader(bytes.subarray(0, cut)), `cut at ${cut}`).toEqual({ is: 'incomplete' })
  })

  test.each(bad)('%j is malformed', (header, reason) => {
    const read = readProxyHeader(written(header))
    expect(read).toEqual({ is: 'malformed', reason: expect.stringMatching(reason) })
  })

  test('that is cut reads as the whole one, or is refused earlier for the same reason', () => {
    for (const [header] of bad) {
      const bytes = written(header)
      const whole = readProxyHeader(bytes)
      const cuts = Array.from(bytes, (_, cut) => readProxyHeader(bytes.subarray(0, cut)))
      expect(cuts.filter(({ is }) => is !== 'incomplete')).toEqual(
        cuts.filter(({ is }) => is !== 'incomplete').map(() => whole),
      )
    }
  })

  test('of noise behind a good beginning never throws, nor claims more bytes than came', () => {
    const seen = { incomplete: 0, malformed: 0, complete: 0 }
    let state = 1
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % below
    }
    const beginnings = [signature, Buffer.from('PROXY '), ...good.map(([header]) => written(header))]
    for (let run = 0; run < 20_000; run++) {
      const bytes = Buffer.concat([beginnings[random(beginnings.length)]!, Buffer.alloc(random(40))])
      for (let changes = random(4); changes > 0; changes--) bytes[random(bytes.length)] = random(256)
      const read = readProxyHeader(bytes)
      seen[read.is]++
      if (read.is === 'complete') expect(read.bytes).toBeLessThanOrEqual(bytes.length)
      if (read.is === 'incomplete') expect(bytes.length).toBeLessThan(4096)
    }
    expect(Math.min(seen.incomplete, seen.malformed, seen.complete)).toBeGreaterThan(500)
  })
})
