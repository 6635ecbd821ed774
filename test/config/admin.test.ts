import { describe, expect, test } from 'vitest'
import { configFolder, leastConfig } from '../support/config-folder.ts'

function folder(admin: string) {
  const made = configFolder({ 'config/gatehouse.yaml': `${leastConfig}admin: ${admin}\n` })
  return { ...made, problems: () => made.problems().filter(problem => problem.includes(' admin')) }
}

describe('the section admin', () => {
  test.each([['127.0.0.1'], ['127.1.2.3'], ['"::1"']])('is silent at %s', address => {
    expect(folder(`{ address: ${address} }`).problems()).toEqual([])
  })

  test.each([['0.0.0.0'], ['"::"'], ['192.0.2.1'], ['"::ffff:192.0.2.1"']])('warns at %s', address => {
    expect(folder(`{ address: ${address} }`).problems()).toEqual([
      expect.stringMatching(
        /^gatehouse\.yaml:\d+:\d+ warning admin\.address: the admin port speaks clear text/,
      ),
    ])
  })

  test('has names in lower case, and no ports', () => {
    expect(folder('{ hosts: [Gateway.contoso.com, "2001:DB8::7"] }').load().admin.hosts).toEqual([
      'gateway.contoso.com',
      '2001:db8::7',
    ])
    expect(folder('{ hosts: ["gateway:5280", "http://x", ""] }').problems()).toEqual([
      expect.stringContaining(
        'admin.hosts[0]: expected a host name or IP address, without a port, not "gateway:5280"',
      ),
      expect.stringContaining('admin.hosts[1]: '),
      expect.stringContaining('admin.hosts[2]: '),
    ])
  })
})
