import type { Certificate } from '../identity/certificate.ts'
import type { CertificateVerdict } from '../identity/verdict.ts'
import type { AttemptStep, ShownCertificate } from '../xmpp/attempt.ts'

/** What a peer has shown and all that is wrong with it, for the journal. */
export function certificateStep(chain: readonly Certificate[], verdict: CertificateVerdict): AttemptStep {
  const [leaf] = chain
  const faults = verdict.valid ? [] : verdict.faults.map(({ code, reason }) => ({ code, reason }))
  return { step: 'certificate', shown: leaf === undefined ? null : shown(leaf), faults }
}

function shown({ subject, issuer, names, notBefore, notAfter, fingerprint }: Certificate): ShownCertificate {
  return {
    subject,
    issuer,
    names: [...names.dns, ...names.srv, ...names.xmpp],
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
    fingerprint: `sha256:${fingerprint}`,
  }
}
