/**
 * What the processes that we start see of the environment. A user's may hold the keys of exchanges and clouds, and a
 * server outlives the command that wanted it: whoever gets into the server, or may read its /proc, would have them all.
 */
const OF_SERVERS = /^(PATH|LANG|LANGUAGE|LC_[A-Z]+|TZ|TZDIR|LD_LIBRARY_PATH|DYLD_(FALLBACK_)?LIBRARY_PATH)$/
/** The supervisor fetches packages too. A proxy's address may hold its password: the servers do not get it. */
const OF_FETCHING = /^(HOME|TMPDIR|APT_CONFIG|((https?|ftp|all|no)_proxy))$/i

/** For initdb, postgres and redis-server. */
export function serverEnvironment(): Record<string, string> {
  return selected((name) => OF_SERVERS.test(name))
}

export function supervisorEnvironment(): Record<string, string> {
  return selected((name) => OF_SERVERS.test(name) || OF_FETCHING.test(name))
}

function selected(isWanted: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value !== undefined && isWanted(name) ? [[name, value]] : [])))
}
