/**
 * Each promise broken on purpose, and the test that must then fail. A mutation replaces one piece of source text;
 * `npm run test:faults -- --only mutations` applies them one by one to a copy and runs their tests there.
 */
export interface Mutation {
  readonly promise: 'P1' | 'P2' | 'P3' | 'P4' | 'P6' | 'P7' | 'containment'
  readonly what: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** Path filter of the tests that must fail. */
  readonly test: string
  /** Part of the tests' names, where one test is enough. */
  readonly named?: string
}

export const MUTATIONS: readonly Mutation[] = [
  {
    promise: 'containment', what: 'differences of a Parquet page are decoded as they stand', file: 'src/market/parquet-column.ts',
    from: '  assertDeltas(reader.view, reader.offset, count, into instanceof Int32Array ? 32 : 64)\n', to: '  void assertDeltas\n',
    test: 'test/unit/market/read-parquet', named: 'where numbers are written as differences',
  },
  {
    promise: 'containment', what: 'a list has as many bytes as its tasks', file: 'src/store/listed-values.ts',
    from: 'const MOST_PAGE_BYTES = 2 ** 20', to: 'const MOST_PAGE_BYTES = 2 ** 30',
    test: 'test/hostile/large-lists', named: 'a list of tasks has its bytes',
  },
  {
    promise: 'containment', what: 'an error keeps all of what a strange source says', file: 'src/base/errors.ts',
    from: 'super(cutText(message, MAX_MESSAGE)', to: 'super(message',
    test: 'test/hostile/large-lists', named: 'an error keeps no more',
  },
  {
    promise: 'containment', what: 'a submission is read before there is room for it', file: 'src/runtime/intake-room.ts',
    from: 'await this.#memory.take(bytes, signal).finally', to: 'void this.#memory.take(bytes, signal).catch(() => undefined).finally',
    test: 'test/hostile/intake-room', named: 'at most 32',
  },
  {
    promise: 'containment', what: 'a file takes more than was set aside for it', file: 'src/market/data-room.ts',
    from: 'if (fit < least) throw', to: 'if (fit < 0) throw',
    test: 'test/hostile/intake-room', named: 'which is more than all of it',
  },
  {
    promise: 'containment', what: 'a submission that was refused keeps its room', file: 'src/runtime/submission.ts',
    from: '    place.leave()\n    throw error', to: '    throw error',
    test: 'test/hostile/intake-room', named: 'sixty at once',
  },
  {
    promise: 'containment', what: 'room is made for as many rows as a file with holes seems to have', file: 'src/market/read-csv.ts',
    from: 'Math.min(guess, MOST_GROWTH * count + FIRST_ROWS)', to: 'guess',
    test: 'test/hostile/intake-room', named: 'a terabyte',
  },
  {
    promise: 'containment', what: 'a body that drips is waited for', file: 'src/http/request-body.ts',
    from: 'sinceMs > RATE_AFTER_MS && length * 1000 <', to: 'sinceMs > RATE_AFTER_MS && length * 1e9 <',
    test: 'test/unit/http/request-body',
  },
  {
    promise: 'containment', what: 'bodies are held without a limit', file: 'src/http/request-body.ts',
    from: 'this.#heldBytes > MOST_HELD_BYTES', to: 'this.#heldBytes > 1e12',
    test: 'test/hostile/slow-callers', named: 'fill the memory with bodies',
  },
  {
    promise: 'containment', what: 'what a caller asked for is computed when it has gone', file: 'src/runtime/caller-pool.ts',
    from: 'signal: request.signal === undefined ? this.#gone : AbortSignal.any([request.signal, this.#gone])', to: '...(request.signal === undefined ? {} : { signal: request.signal })',
    test: 'test/hostile/slow-callers', named: 'takes its step with it',
  },
  {
    promise: 'containment', what: 'a file is opened without a look at what it is', file: 'src/base/regular-file.ts',
    from: 'if (found.isFile()) return fd', to: 'if (fd >= 0) return fd',
    test: 'test/hostile/file-doors', named: 'as the checksum',
  },
  {
    promise: 'containment', what: 'what a strategy imports is read whatever it is', file: 'workers/strategy-source.ts',
    from: 'if (found === undefined || (found.isFile() &&', to: 'if (true || (found?.isFile() &&',
    test: 'test/hostile/file-doors', named: 'as the strategy',
  },
  {
    promise: 'containment', what: 'a packed file unpacks to whatever it likes', file: 'workers/unpacked-size.ts',
    from: 'const MOST_UNPACKED = 100', to: 'const MOST_UNPACKED = 1e9',
    test: 'test/hostile/file-doors', named: 'packed blank lines',
  },
  {
    promise: 'containment', what: 'a thread that gives no sign of life keeps its step for ever', file: 'src/pool/silence-watch.ts',
    from: 'watch.watched.onSilent(beats !== 0)', to: 'watch.silentMs += 0',
    test: 'test/hostile/stuck-threads', named: 'gives no sign of life',
  },
  {
    promise: 'containment', what: 'a step that its thread never began is lost with the thread', file: 'src/pool/compute-pool.ts',
    from: "again = running.silence === 'never begun'", to: "again = running.silence === 'stalled'",
    test: 'test/hostile/stuck-threads', named: 'wedged after its step',
  },
  {
    promise: 'containment', what: 'a worker whose threads are all stuck is ready', file: 'src/runtime/create-runtime.ts',
    from: 'now.threads.stuck < now.threads.total', to: 'now.threads.stuck <= now.threads.total',
    test: 'test/hostile/stuck-threads', named: 'not ready until it is replaced',
  },
  {
    promise: 'P1', what: 'the entry is acked before the outcome is committed', file: 'src/runtime/attempt-ledger.ts',
    from: "    waypoint('before_commit', attempt.taskId)\n", to: "    await this.#settle(attempt, outcome)\n    waypoint('before_commit', attempt.taskId)\n",
    test: 'test/faults/kill-points', named: 'an entry leaves its stream',
  },
  {
    promise: 'P1', what: 'a live row that Redis forgot is not looked for', file: 'src/runtime/reconciler.ts',
    from: 'if (now !== this.#compared) {', to: 'if (this.#compared === undefined) {', test: 'test/faults/simulation',
  },
  {
    promise: 'P1', what: 'a row of an owner that is gone is not taken back', file: 'src/runtime/reconciler.ts',
    from: 'row.owner !== null && fleet.isGone(row.owner)', to: 'row.owner !== null && fleet.isGone(row.owner) && row.attempt < 0', test: 'test/faults/simulation',
  },
  {
    promise: 'P1', what: 'an open whose answer was lost counts as somebody else\'s', file: 'src/store/attempt-store.ts',
    from: '(t.owner = $2 or (i.taken_from', to: '(t.owner = $2 || \'?\' or (i.taken_from', test: 'test/faults/simulation',
  },
  {
    promise: 'P1', what: 'a commit whose answer was lost is taken for a fenced one', file: 'src/runtime/attempt-ledger.ts',
    from: 'return row !== null && row.attempt === attempt.attempt && row.status === statusAfter(outcome)', to: 'return row === null', test: 'test/faults/lost-answers',
  },
  {
    promise: 'P1', what: 'a closing that was refused takes the receipt with it', file: 'src/runtime/task-queue.ts',
    from: "      held.unheard ||= hasCode(thrown, 'POSTGRES_UNAVAILABLE')\n", to: '      this.#letGo(receipt)\n',
    test: 'test/integration/storable', named: 'leaves the receipt as it was',
  },
  {
    promise: 'P1', what: 'text that Postgres refuses goes to it as it came', file: 'src/store/text-gate.ts',
    from: 'return isJson ? storableJson(value) : storableText(value)', to: 'return value',
    test: 'test/integration/storable', named: 'an error that cannot be stored',
  },
  {
    promise: 'P1', what: 'what this process cannot settle is left for ever', file: 'src/runtime/lapse-watch.ts',
    from: 'entry.consumer === consumer.consumer && inHand(entry)', to: 'entry.consumer === consumer.consumer', test: 'test/faults/lost-answers',
  },
  {
    promise: 'P1', what: 'a message is published, but the row of the task comes later', file: 'src/runtime/publisher.ts',
    from: "    const inserted = await this.#parts.intake.insert(tasks, atomic)\n", to: "    await this.publish(tasks)\n    const inserted = await this.#parts.intake.insert(tasks, atomic)\n",
    test: 'test/faults/kill-points', named: 'a producer is killed',
  },
  {
    promise: 'P1', what: 'of two entries of one task in a batch the older one counts, whichever is the row\'s', file: 'src/store/attempt-store.ts',
    from: "(verdict = 'stale'), own desc, message_id", to: 'message_id', test: 'test/faults/simulation', named: 'regression',
  },
  {
    promise: 'containment', what: 'what a statement is answered with at the door is the database\'s own error', file: 'src/store/postgres.ts',
    from: 'ask(...args).catch((error: unknown) => { throw asOurs(error) })', to: 'ask(...args)', test: 'test/faults/closed-doors', named: 'while Postgres is cut',
  },
  {
    promise: 'containment', what: 'what the driver throws at bytes that are not Postgres\'s ends the process', file: 'src/store/connection.ts',
    from: '      stream.destroy(error as Error)\n      return true\n', to: '      throw error\n', test: 'test/faults/changed-bytes', named: 'Postgres seems',
  },
  {
    promise: 'containment', what: 'what the client throws at bytes that are not Redis\'s ends the process', file: 'src/queue/redis-connection.ts',
    from: '    this.returnFatalError(error)\n', to: '    process.nextTick(() => { throw error })\n', test: 'test/faults/changed-bytes', named: 'Redis seems',
  },
  {
    promise: 'containment', what: 'a list of tasks goes on after a time, and leaves out those that share it', file: 'src/store/task-desk.ts',
    from: '(created_at, task_id) < (', to: '(created_at, $9) < (', test: 'test/hostile/many-tasks', named: 'page by page',
  },
  {
    promise: 'containment', what: 'an index is built while nobody may write', file: 'src/store/online-indexes.ts',
    from: 'create index concurrently if not exists', to: 'create index if not exists', test: 'test/hostile/many-tasks', named: 'held up',
  },
  {
    promise: 'containment', what: 'a list of tasks is not kept in the order of an index', file: 'src/store/task-desk.ts',
    from: 'order by created_at desc, task_id desc limit $5', to: 'order by created_at + interval \'0\' desc, task_id desc limit $5', test: 'test/hostile/many-tasks', named: 'reads an index',
  },
  {
    promise: 'containment', what: 'a worker that is told to stop first compares every row', file: 'src/runtime/reconciler.ts',
    from: 'missing = await this.#compare(signal)', to: 'missing = await this.#compare(new AbortController().signal)', test: 'test/hostile/stopping', named: 'reads no page',
  },
  {
    promise: 'containment', what: 'closing waits for a statement for as long as it takes', file: 'src/store/postgres.ts',
    from: 'for (const client of this.#open) client.destroy()', to: 'this.#open.clear()', test: 'test/hostile/stopping', named: 'statement that goes on',
  },
  {
    promise: 'containment', what: 'a Redis that answers and takes no writes is ready', file: 'src/runtime/runtime-reading.ts',
    from: "redisUp: depths.status === 'fulfilled' && serving.status === 'fulfilled'", to: "redisUp: depths.status === 'fulfilled'", test: 'test/hostile/unable-redis', named: 'is not ready',
  },
  {
    promise: 'containment', what: 'a Cluster gets keys that lie apart', file: 'src/queue/redis-task-stream.ts',
    from: 'if (/redis_mode:cluster/.test(info) &&', to: 'if (/redis_mode:nothing/.test(info) &&', test: 'test/hostile/unable-redis', named: 'Cluster',
  },
  {
    promise: 'containment', what: 'a spec may be nested without end', file: 'src/base/json-depth.ts',
    from: 'if (depth > MAX_DEPTH) return true', to: 'if (depth > 10 * MAX_DEPTH ** 2) return true', test: 'test/hostile/far-inputs', named: 'nested',
  },
  {
    promise: 'containment', what: 'a time may be of any year', file: 'src/base/time-span.ts',
    from: 'return ms >= EARLIEST_MS && ms <= LATEST_MS', to: 'return ms === ms', test: 'test/hostile/far-inputs', named: 'time',
  },
  {
    promise: 'containment', what: 'a command to a Redis that cuts every connection is tried for ever', file: 'src/queue/redis-connection.ts',
    from: 'commandTimeout: waitMs + COMMAND_MS, ', to: '', test: 'test/faults/closed-doors', named: 'every route while Redis',
  },
  {
    promise: 'P2', what: 'the outcome is written whatever attempt the row is at', file: 'src/store/attempt-store.ts',
    from: 'select t.task_id, t.attempt from tasks t join given g on g.task_id = t.task_id and g.attempt = t.attempt', to: 'select t.task_id, g.attempt from tasks t join given g on g.task_id = t.task_id',
    test: 'test/faults/simulation',
  },
  {
    promise: 'P2', what: 'a checkpoint is written whatever attempt the row is at', file: 'src/store/attempt-store.ts',
    from: "where task_id = $1 and attempt = $2 and status = 'processing' returning task_id", to: 'where task_id = $1 and $2 > 0 returning task_id',
    test: 'test/integration/task-queue', named: 'a lease that is not renewed',
  },
  {
    promise: 'P2', what: 'an entry is settled whoever owns it', file: 'src/queue/scripts/settle.ts',
    from: 'if owner and owner ~= ARGV[2] then', to: 'if false then', test: 'test/faults/lost-answers',
  },
  {
    promise: 'P2', what: 'a lease is renewed whoever owns it', file: 'src/queue/scripts/lease.ts',
    from: 'elseif owner ~= ARGV[2] then out[#out + 1] = -1', to: 'elseif false then out[#out + 1] = -1', test: 'test/faults/lost-answers',
  },
  {
    promise: 'P3', what: 'leases are not renewed', file: 'src/queue/scripts/lease.ts',
    from: "    redis.call('XCLAIM', key, ARGV[1], ARGV[2], 0, id, 'JUSTID')\n    out[#out + 1] = 1", to: '    out[#out + 1] = 1',
    test: 'test/faults/zombie', named: 'no lease lapses',
  },
  {
    promise: 'P3', what: 'an outage of Postgres makes the whole fleet look dead', file: 'src/runtime/fleet-watch.ts',
    from: 'now - sighting.sinceMs >= this.#silenceMs', to: 'one.silentMs >= this.#silenceMs', test: 'test/faults/lost-answers',
  },
  {
    promise: 'P4', what: 'finished quanta are computed again', file: 'src/store/sweep-store.ts',
    from: 'where s.sweep_id = $1 order by c.quantum`', to: 'where s.sweep_id = $1 and c.quantum < 0 order by c.quantum`',
    test: 'test/faults/killed-worker', named: 'recovery of a killed worker',
  },
  {
    promise: 'P4', what: 'a sweep is gone on with, whichever engine its rows are of', file: 'src/store/sweep-store.ts',
    from: 'if (sweep.engineVersion === engineVersion) return', to: "if (sweep.engineVersion !== '') return",
    test: 'test/faults/two-engines', named: 'is handed back',
  },
  {
    promise: 'P6', what: 'an indivisible step may take the last thread', file: 'src/pool/what-may-run.ts',
    from: 'if (divisible || free > 1', to: 'if (divisible || free > 0',
    test: 'test/integration/pool', named: 'an indivisible step',
  },
  {
    promise: 'P6', what: 'chunks without end keep an indivisible step of a higher priority waiting', file: 'src/pool/what-may-run.ts',
    from: 'if (isKeptFree) return false', to: 'if (isKeptFree && free < 0) return false',
    test: 'test/integration/pool', named: 'chunks without end',
  },
  {
    promise: 'P6', what: 'a step of a sweep holds its thread until its quanta are done', file: 'workers/jobs/part.ts',
    from: 'return done > 0 && nowMs() >= endMs', to: 'return done < 0 && nowMs() >= endMs',
    test: 'test/hostile/large-grids',
  },
  {
    promise: 'P6', what: 'rows of a quantum that was left in its middle are lost', file: 'src/workflows/chunk-work.ts',
    from: 'rows: joinTrialRows(begun.rows)', to: 'rows: begun.rows.at(-1) ?? new Uint8Array()',
    test: 'test/unit/workflows/chunk-work',
  },
  {
    promise: 'P7', what: 'a message that does not decode is delivered again for ever', file: 'src/runtime/attempt-ledger.ts',
    from: "if (body === 'garbage') await this.#bury(delivery)", to: "if (body === 'garbage') continue",
    test: 'test/integration/task-queue', named: 'messages that do not decode',
  },
  {
    promise: 'P7', what: 'what a strategy leaves behind ends its thread', file: 'workers/guest-realm.ts',
    from: '    if (leave === null) throw reason\n', to: '    throw reason\n',
    test: 'test/integration/guest-code', named: 'queueMicrotask',
  },
  {
    promise: 'containment', what: 'a strategy is shown the frame that all threads share', file: 'workers/guest-realm.ts',
    from: "      if (!types.isArrayBuffer(copy)) throw new TypeError('This is no memory.')\n      new Uint8Array(copy).set(new Uint8Array(shared))\n      this.#api.attach(header.hash, text, dataAt, copy)\n      this.#copies.set(header.hash, copy)\n",
    to: '      this.#api.attach(header.hash, text, dataAt, shared as never)\n      this.#copies.set(header.hash, shared as never)\n', test: 'test/hostile/guest-realm', named: 'column of its bars',
  },
  {
    promise: 'containment', what: 'errors of the thread that reach a strategy lead to the thread', file: 'workers/guest-realm.ts',
    from: '      return withInertErrors(call)\n', to: '      return call()\n', test: 'test/hostile/guest-realm', named: 'while a stack is written',
  },
  {
    promise: 'containment', what: 'a column that a trial wrote into is used by the next ones', file: 'workers/jobs/sweep-runners.ts',
    from: 'guardsColumns: this.#guardsColumns', to: 'guardsColumns: false', test: 'test/hostile/guest-columns',
  },
  {
    promise: 'containment', what: 'import() is left in the code of a strategy', file: 'workers/guest-module.ts',
    from: '  if (/\\bimport\\b/.test(body)) body = await withoutImports(body)\n', to: '', test: 'test/hostile/guest-realm', named: 'imports while it runs',
  },
  {
    promise: 'containment', what: 'the embedded servers inherit the whole environment', file: 'src/services/server-environment.ts',
    from: 'value !== undefined && isWanted(name)', to: 'value !== undefined || isWanted(name)',
    test: 'test/hostile/secrets', named: 'the embedded servers have',
  },
  {
    promise: 'containment', what: 'a value that is shown keeps its credentials', file: 'src/runtime/config.ts',
    from: "URLS.has(name) || text.includes('://') ? hideSecrets(text) : text", to: "name === 'REDIS_URL' || name === 'DATABASE_URL' ? hideSecrets(text) : text",
    test: 'test/hostile/secrets', named: 'shows no credentials',
  },
  {
    promise: 'containment', what: 'what the machine lacks counts as the task\'s own failure', file: 'src/base/errors.ts',
    from: "fallback === 'STRATEGY_FAILED' ? null : machineTrouble(thrown)", to: 'null',
    test: 'test/faults/machine-trouble', named: 'waits for room',
  },
  {
    promise: 'containment', what: 'a package that could not be loaded for want of files stays so', file: 'workers/late-module.ts',
    from: 'if (machineTrouble(thrown) !== null) process.exit(1)', to: '', test: 'test/faults/machine-trouble', named: 'blames no file',
  },
  {
    promise: 'containment', what: 'a thread that could not be started is never started again', file: 'src/pool/compute-pool.ts',
    from: 'if (threadsLeft === 0 && this.#started === started) this.#startOver(started, error)', to: '', test: 'test/faults/machine-trouble', named: 'blames no file',
  },
  {
    promise: 'containment', what: 'half an initdb counts as a data folder', file: 'src/services/postgres-data.ts',
    from: "existsSync(join(data, 'PG_VERSION')) && (existsSync(join(data, COMPLETE)) || holdsUsersData(data))", to: "existsSync(join(data, 'PG_VERSION'))",
    test: 'test/faults/first-start', named: 'what was made before the end of initdb',
  },
  {
    promise: 'containment', what: 'a supervisor does not make again what a cleaner removed', file: 'src/services/supervisor.ts',
    from: 'systemClock.every(WATCH_EVERY_MS, () => { watch().catch(() => undefined) })', to: 'void watch', test: 'test/faults/first-start', named: 'a cleaner that removes',
  },
  {
    promise: 'containment', what: 'a lock of a process that is gone is still held', file: 'src/services/process-lock.ts',
    from: 'return holder !== null && isRunning(holder)', to: 'return holder !== null', test: 'test/faults/first-start', named: 'locks and files',
  },
  {
    promise: 'containment', what: 'a password file that was left empty is a password', file: 'src/services/whole-file.ts',
    from: "return text === '' ? null : text", to: 'return text', test: 'test/faults/first-start', named: 'locks and files',
  },
  {
    promise: 'containment', what: 'a server that has no database of ours goes on without anybody who knows of it', file: 'src/services/postgres-server.ts',
    from: '    await server.stop()\n', to: '', test: 'test/faults/first-start', named: 'a first start with',
  },
  {
    promise: 'containment', what: 'users of a supervisor that was killed do not register anew', file: 'src/services/membership.ts',
    from: '      if (this.#left) return\n      this.#joiningAgain', to: '      if (this.#left || link.ended) return\n      this.#joiningAgain',
    test: 'test/faults/killed-supervisor', named: 'living users start',
  },
  {
    promise: 'containment', what: 'the next supervisor ends servers that answer', file: 'src/services/server-process.ts',
    from: 'if (await answers(mark, probe)) return adopted', to: 'if (mark.pid < 0) return adopted', test: 'test/faults/killed-supervisor', named: 'living users start',
  },
  {
    promise: 'containment', what: 'a user who is still to come counts as gone', file: 'src/services/known-users.ts',
    from: 'return this.#due.length > 0', to: 'return false', test: 'test/faults/killed-supervisor', named: 'a user who lives',
  },
]
