import { expect, test } from 'vitest'
import { reason } from '../../src/config/files.ts'

test.each([
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'no space left on the device'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EXXX', 'EXXX'],
])('a file error is told in words: %s', (code, words) => {
  expect(reason(Object.assign(new Error(code), { code }))).toBe(words)
})
