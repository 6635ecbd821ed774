import { describe, expect, test } from 'vitest'
import { Queue, Valve } from '../../src/routing/queue.ts'
import { slicesOf } from '../xml/transcript.ts'

/** A queue whose stanzas wait for what stands in their `to`, until that is known. */
function queue() {
  const said: string[] = []
  const known = new Set<string>()
  const asked = new Map<string, () => void>()
  const during = { ask: (_: string) => {}, pass: (_: string | undefined) => {} }
  const valve = { pause: () => said.push('pause'), resume: () => said.push('resume') }
  const made = new Queue<undefined>(valve, {
    mustWait: ({ to = '' }, _, resume) => {
      if (to === '' || known.has(to)) return false
      said.push(`ask ${to}`)
      asked.set(to, resume)
      during.ask(to)
      return true
    },
    pass: ({ id }) => {
      said.push(`pass ${id}`)
      during.pass(id)
    },
    flush: () => said.push('flush'),
  })
  const stanza = (id: number, to = '') => slicesOf(`<iq id='${id}' to='${to}'/>`)[0]!
  const answer = (to: string) => {
    known.add(to)
    asked.get(to)?.()
  }
  const lately = () => said.splice(0)
  return {
    add: (id: number, to?: string) => made.add(stanza(id, to), undefined),
    answer,
    asked,
    during,
    lately,
  }
}

describe('a queue', () => {
  test('lets by at once what has nothing to wait for', () => {
    const { add, lately } = queue()
    add(1)
    add(2)
    expect(lately()).toEqual(['pass 1', 'pass 2'])
  })

  test('holds what follows one that waits, its source paused, and goes on in order', () => {
    const { add, answer, lately } = queue()
    add(1, 'a')
    add(2)
    add(3, 'b')
    add(4, 'a')
    expect(lately()).toEqual(['ask a', 'flush', 'pause', 'ask b', 'ask a'])
    answer('a')
    expect(lately()).toEqual(['pass 1', 'pass 2', 'ask b', 'flush'])
    add(5)
    answer('b')
    expect(lately()).toEqual(['pass 3', 'pass 4', 'pass 5', 'flush', 'resume'])
    add(6)
    expect(lately()).toEqual(['pass 6'])
  })

  test('asks again where there is still nothing to go on by', () => {
    const { add, answer, asked, lately } = queue()
    add(1, 'a')
    asked.get('a')?.()
    expect(lately()).toEqual(['ask a', 'flush', 'pause', 'ask a', 'flush'])
    answer('a')
    expect(lately()).toEqual(['pass 1', 'flush', 'resume'])
  })

  test('goes on where it is told so while it asks', () => {
    const { add, answer, during, lately } = queue()
    during.ask = to => answer(to)
    add(1, 'a')
    add(2)
    expect(lately()).toEqual(['ask a', 'pass 1', 'pass 2'])
    during.ask = () => {}
    add(3, 'b')
    add(4, 'c')
    add(5, 'd')
    during.ask = to => answer(to)
    answer('b')
    expect(lately()).toEqual([
      'ask b',
      'flush',
      'pause',
      'ask c',
      'ask d',
      'pass 3',
      'ask c',
      'pass 4',
      'ask d',
      'pass 5',
      'flush',
      'resume',
    ])
  })

  test('keeps the order, and passes each once, where it is told so and given more while one passes', () => {
    const { add, answer, asked, during, lately } = queue()
    add(1, 'a')
    add(2, 'b')
    during.pass = id => {
      if (id !== '1') return
      asked.get('a')?.()
      add(3)
    }
    answer('a')
    expect(lately().filter(said => said.startsWith('pass'))).toEqual(['pass 1'])
    answer('b')
    expect(lately()).toEqual(['pass 2', 'pass 3', 'flush', 'resume'])
  })
})

describe('what waits', () => {
  test('does not hold back what has passed before', () => {
    const { add, lately } = queue()
    add(1)
    add(2, 'a')
    expect(lately()).toEqual(['pass 1', 'ask a', 'flush', 'pause'])
  })

  test('is asked about at once, 100 at a time', () => {
    const { add, answer, lately } = queue()
    for (let id = 0; id < 150; id++) add(id, `user ${id}`)
    const asked = (said: string[]) => said.filter(text => text.startsWith('ask '))
    expect(asked(lately())).toEqual(Array.from({ length: 100 }, (_, id) => `ask user ${id}`))
    for (let id = 99; id >= 0; id--) answer(`user ${id}`)
    expect(new Set(asked(lately()).slice(-50))).toEqual(
      new Set(Array.from({ length: 50 }, (_, id) => `ask user ${id + 100}`)),
    )
  })
})

test('a valve opens when nobody holds it', () => {
  const said: string[] = []
  const valve = new Valve({ pause: () => said.push('pause'), resume: () => said.push('resume') })
  valve.pause()
  valve.pause()
  valve.resume()
  expect(said).toEqual(['pause'])
  valve.resume()
  expect(said).toEqual(['pause', 'resume'])
})
