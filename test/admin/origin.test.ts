import { describe, expect, test } from 'vitest'
import { refuseForeign, targetOf } from '../../src/admin/origin.ts'

function statusOf(host: string | string[], origin?: string, arrivedAt = '127.0.0.1'): number | undefined {
  const hosts = typeof host === 'string' ? [host] : host
  return refuseForeign({ hosts, origin, arrivedAt }, ['gateway.contoso.com', '2001:db8:0::7'])?.status
}

describe('a request', () => {
  test.each([
    ['localhost'],
    ['localhost:5280'],
    ['LOCALHOST:1'],
    ['127.0.0.1:5280'],
    ['[::1]:5280'],
    ['[0:0:0:0:0:0:0:1]'],
    ['gateway.contoso.com'],
    ['Gateway.Contoso.com.:443'],
    ['[2001:DB8::7]:5280'],
  ])('for %s is taken', host => {
    expect(statusOf(host)).toBeUndefined()
  })

  test.each([
    ['evil.example'],
    ['localhost.evil.example'],
    ['evil.example:5280'],
    ['127.0.0.1.evil.example'],
    ['127.0.0.2'],
    ['user@localhost'],
    ['localhost:5280:1'],
    ['localhost/'],
    ['local host'],
    ['[::2]'],
    ['[::1'],
    ['::1'],
    ['[gg]'],
    [''],
    ['.'],
  ])('for %j is not', host => {
    expect(statusOf(host)).toBe(421)
  })

  test('is taken for the address at which it has arrived', () => {
    expect(statusOf('192.0.2.5:5280', undefined, '192.0.2.5')).toBeUndefined()
    expect(statusOf('192.0.2.5', undefined, '::ffff:192.0.2.5')).toBeUndefined()
    expect(statusOf('[2001:db8::9]', undefined, '2001:db8::9')).toBeUndefined()
    expect(statusOf('[fe80::9]', undefined, 'fe80::9%eth0')).toBeUndefined()
    expect(statusOf('192.0.2.6', undefined, '192.0.2.5')).toBe(421)
  })

  test('has one host', () => {
    expect(statusOf(['localhost', 'evil.example'])).toBe(400)
    expect(statusOf(['localhost', 'localhost'])).toBe(400)
    expect(statusOf([])).toBe(421)
  })

  test.each([
    ['http://localhost:5280', undefined],
    ['https://localhost:5280', undefined],
    ['http://localhost', 403],
    ['http://localhost:5281', 403],
    ['http://evil.example', 403],
    ['null', 403],
    ['', 403],
    ['http://localhost:5280.evil.example', 403],
    ['ftp://localhost:5280', 403],
  ])('from a page of %j is judged by that', (origin, status) => {
    expect(statusOf('localhost:5280', origin)).toBe(status)
  })
})

describe('a request target', () => {
  test.each([
    ['/health?a=b', '/health?a=b', undefined],
    ['*', '*', undefined],
    ['//evil/health', '//evil/health', undefined],
    ['/http://evil/', '/http://evil/', undefined],
    ['http://localhost:5280/health?a=b', '/health?a=b', 'localhost:5280'],
    ['HTTPS://[::1]/a', '/a', '[::1]'],
    ['http://localhost', '/', 'localhost'],
    ['http://localhost?a=b', '/?a=b', 'localhost'],
    ['http://user@localhost/', '/', 'user@localhost'],
    ['http:///health', '/health', ''],
  ])('%j asks for %j', (written, url, host) => {
    expect(targetOf(written)).toEqual({ url, host })
  })
})
