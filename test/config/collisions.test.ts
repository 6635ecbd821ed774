import { describe, expect, test } from 'vitest'
import { configFolder, leastConfig } from '../support/config-folder.ts'

/** The errors of the least configuration with these lines more. */
function errorsOf(lines: string): string[] {
  const { problems } = configFolder({ 'config/gatehouse.yaml': `${leastConfig}${lines}\n` })
  return problems().filter(problem => problem.includes(' error '))
}

describe('a port to listen on', () => {
  test.each([
    [
      'listen: [{ port: 5269 }, { port: 5269 }]',
      '4:26 error listen[1]: port 5269 is taken by listen[0] (in line 4)',
    ],
    [
      'listen:\n  - { address: 0.0.0.0, port: 1 }\n  - { address: "::", port: 1 }',
      '6:5 error listen[1]: port 1 is taken by listen[0] (in line 5); give one of them another',
    ],
    ['listen: [{ port: 1 }, { address: 127.0.0.1, port: 1 }]', '4:23 error listen[1]: port 1 is taken'],
    [
      'listen: [{ address: 0.0.0.0, port: 1 }, { address: "::FFFF:127.0.0.1", port: 1 }]',
      '4:41 error listen[1]: port 1 is taken',
    ],
    [
      'listen: [{ address: "::1", port: 1 }, { address: "0:0::1", port: 1 }]',
      '4:39 error listen[1]: port 1 is taken',
    ],
    ['admin: { port: 5269 }', '4:10 error admin.port: port 5269 is taken by listen[0] (by default)'],
    ['listen: [{ port: 5280 }]', '4:10 error listen[0]: port 5280 is taken by admin.port (by default)'],
    [
      'admin: { port: 1 }\nlisten: [{ port: 0 }, { port: 1 }]',
      '4:10 error admin.port: port 1 is taken by listen[1] (in line 5)',
    ],
  ])('is not taken twice: %j', (lines, expected) => {
    expect(errorsOf(lines)).toEqual([expect.stringContaining(`gatehouse.yaml:${expected}`)])
  })

  test.each([
    'listen: [{ port: 0 }, { port: 0 }]\nadmin: { port: 0 }',
    'listen: [{ address: 127.0.0.1, port: 1 }, { address: 127.0.0.2, port: 1 }]',
    'listen: [{ address: 0.0.0.0, port: 1 }, { address: "::1", port: 1 }]',
    'listen: [{ address: "fe80::1%a", port: 1 }, { address: "fe80::1%b", port: 1 }]',
    'listen: [{ address: none, port: 1 }, { port: 1 }, { port: many }]',
  ])('is taken twice where the addresses differ, or it is any: %j', lines => {
    expect(errorsOf(lines).filter(error => error.includes('is taken'))).toEqual([])
  })
})

describe('a file', () => {
  test.each([
    [
      'admin: { audit: partners.yaml }',
      '4:10 error admin.audit: ',
      ' partners.yaml is taken by partners (by default)',
    ],
    [
      'store: { sqlite: ../data/journal.db }',
      '4:10 error store.sqlite: ',
      'data/journal.db is taken by store.journal (by default)',
    ],
    [
      'store: { journal: ./x }\nadmin: { socket: x }',
      '5:10 error admin.socket: ',
      ' x is taken by store.journal (in line 4); give one of them another',
    ],
    [
      'admin: { tokens: gatehouse.yaml }',
      '4:10 error admin.tokens: ',
      'gatehouse.yaml is taken by this configuration itself',
    ],
  ])('is named by one key alone: %j', (lines, place, message) => {
    expect(errorsOf(lines)).toEqual([expect.stringContaining(`gatehouse.yaml:${place}`)])
    expect(errorsOf(lines)).toEqual([expect.stringContaining(message)])
  })
})
