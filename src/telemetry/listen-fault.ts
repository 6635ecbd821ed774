/** What an address is wanted for: the words of the configuration. */
export type Wanted = { readonly address: string; readonly port: number; readonly setting: string }

/** Why the gateway cannot listen at an address, and what to do, by the code of the system's error. */
const remedies: Readonly<Record<string, (wanted: Wanted) => string>> = {
  EADDRINUSE: ({ port, setting }) =>
    `another program listens there already ("ss -ltnp sport = :${port}" shows which), or another entry here; "::" takes IPv4 too, ` +
    `so 0.0.0.0 has no place beside it: stop the other one, or change ${setting}`,
  EADDRNOTAVAIL: ({ setting }) =>
    `this machine does not have the address ("ip address" shows those it has): change ${setting}`,
  EACCES: ({ port, setting }) =>
    port < 1024
      ? `ports below 1024 are not for this user: give ${setting} one from 1024 on`
      : `this system does not let this user listen there (SELinux, AppArmor?): permit it, or change ${setting}`,
  EAFNOSUPPORT: ({ setting }) => `this machine has no IPv6: change ${setting} to 0.0.0.0`,
}

/** An error of `listen`, in the operator's words; the system's own is its cause. */
export function listenFault(wanted: Wanted, error: NodeJS.ErrnoException): Error {
  const { address, port } = wanted
  const code = error.code ?? error.message
  const remedy = remedies[code]?.(wanted)
  const why = remedy === undefined ? code : `${code}; ${remedy}`
  return new Error(`cannot listen on ${address} port ${port}: ${why}`, { cause: error })
}
