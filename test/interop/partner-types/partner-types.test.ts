import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { peerKinds } from '../../support/server-process.ts'
import { describeInterop } from '../servers.ts'
import { byTheUsersWord } from './by-the-users-word.ts'
import { noAddressIsTold } from './no-address-is-told.ts'
import { type Meet, Scene } from './scene.ts'
import { statusNotes } from './status-notes.ts'
import { strangers } from './strangers.ts'
import { theRosterDecides } from './the-roster-decides.ts'
import { withoutTheUsersWord } from './without-the-users-word.ts'

// The servers are started once, and every walk has users of its own. Each idea of docs/partner-types.md has its file.
describeInterop('partner types', () => {
  let scene: Scene

  beforeAll(async () => {
    scene = await Scene.start()
  })
  afterAll(() => scene.end())

  describe.each(peerKinds)('with %s inside:', inside => {
    const meet: Meet = (type, grant) => scene.meet(inside, type, grant)
    afterEach(context => scene.tellOfFailure(context, inside))

    byTheUsersWord(meet)
    strangers(meet)
    statusNotes(meet)
    withoutTheUsersWord(meet, inside)
    theRosterDecides(meet)
    noAddressIsTold(meet)
  })
})
