import { type ActorRef, type Behavior, Behaviors, SupervisorStrategy } from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

/** A door that the test opens. */
class Gate {
  open: () => void = () => {}
  fail: (error: Error) => void = () => {}
  readonly passed: Promise<void> = new Promise((resolve, reject) => {
    this.open = resolve
    this.fail = reject
  })
}

const waiting = (gate: Gate, report: ActorRef<string>): Behavior<string> =>
  Behaviors.receive<string>(
    async (message) => {
      report.tell(`begin ${message}`)
      if (message === 'slow') await gate.passed
      report.tell(`end ${message}`)
      return message === 'stop' ? Behaviors.stopped : Behaviors.same
    },
    (signal) => {
      report.tell(signal.type)
      return Behaviors.same
    },
  )

function fixture(wrap: (behavior: Behavior<string>) => Behavior<string> = (behavior) => behavior) {
  const kit = ActorTestKit.create()
  const probe = kit.createProbe<string>()
  const gate = new Gate()
  const ref = kit.spawn(wrap(waiting(gate, probe.ref)), 'waiting')
  return { kit, probe, gate, ref, [Symbol.asyncDispose]: () => kit.shutdown() }
}

describe('an async handler', () => {
  it('has the actor to itself until its promise settles', async () => {
    await using f = fixture()

    f.ref.tell('slow')
    f.ref.tell('next')
    await f.probe.expectMessage('begin slow')
    await f.probe.expectNoMessage()
    f.gate.open()

    expect(await f.probe.receiveMessages(3)).toEqual(['end slow', 'begin next', 'end next'])
  })

  it('may return the next behavior, or the end', async () => {
    await using f = fixture()

    f.ref.tell('stop')

    expect(await f.probe.receiveMessages(3)).toEqual(['begin stop', 'end stop', 'PostStop'])
  })

  it('may use the context after its awaits', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const gate = new Gate()
    kit
      .spawn(
        Behaviors.receive<string>(async (_, context) => {
          await gate.passed
          probe.ref.tell(context.spawn(Behaviors.empty, 'late').path)
          return Behaviors.same
        }),
        'parent',
      )
      .tell('go')

    gate.open()

    await probe.expectMessage('/user/parent/late')
  })

  it('does not hold up a stop', async () => {
    await using f = fixture()
    f.ref.tell('slow')
    f.ref.tell('waiting')
    await f.probe.expectMessage('begin slow')

    await f.kit.stop(f.ref)

    await f.probe.expectMessage('PostStop')
    expect(f.kit.deadLetters.map(({ message }) => message)).toEqual(['waiting'])
    f.gate.open()
    await f.probe.expectMessage('end slow')
    await f.probe.expectNoMessage()
  })

  it('fails the actor when its promise is rejected, and supervision decides', async () => {
    await using f = fixture((behavior) =>
      Behaviors.supervise(behavior).onFailure(SupervisorStrategy.restart()),
    )
    f.ref.tell('slow')
    f.ref.tell('next')
    await f.probe.expectMessage('begin slow')

    f.gate.fail(new Error('lost'))

    expect(await f.probe.receiveMessages(3)).toEqual(['PreRestart', 'begin next', 'end next'])
    expect(f.kit.logs.withPhrase('actor failed')[0]?.fields['messageType']).toBe('string')
  })

  it('fails the actor when it takes too long, and says what to do', async () => {
    await using f = fixture()
    f.ref.tell('slow')
    await f.kit.clock.advance(29_999)
    expect(await f.probe.receiveMessages(1)).toEqual(['begin slow'])
    await f.probe.expectNoMessage()

    await f.kit.clock.advance(1)

    await f.probe.expectMessage('PostStop')
    expect(f.kit.logs.withPhrase('actor failed')[0]?.fields['err']).toMatchObject({
      code: 'HANDLER_TIMED_OUT',
      message: expect.stringContaining('/user/waiting did not finish within 30000 ms'),
    })
  })

  it('may be given another deadline for one actor', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const ref = kit.spawn(waiting(new Gate(), probe.ref), 'hasty', { handlerTimeoutMs: 50 })
    ref.tell('slow')
    await probe.expectMessage('begin slow')

    await kit.clock.advance(50)

    await probe.expectMessage('PostStop')
  })

  it('changes nothing when it settles after its time was up', async () => {
    await using f = fixture((behavior) =>
      Behaviors.supervise(behavior).onFailure(SupervisorStrategy.resume),
    )
    f.ref.tell('slow')
    await f.kit.clock.advance('30s')
    f.ref.tell('next')

    expect(await f.probe.receiveMessages(3)).toEqual(['begin slow', 'begin next', 'end next'])
    f.gate.fail(new Error('too late'))
    await f.probe.expectNoMessage()
    expect(f.kit.system.metrics.failures).toBe(1)
    expect(f.kit.logs.withPhrase('async handler failed after nobody waited for it')).toHaveLength(1)
  })

  it('that settles late does not end the wait for the one after it', async () => {
    await using kit = ActorTestKit.create()
    const heard: string[] = []
    const gates = new Map([
      ['first', new Gate()],
      ['second', new Gate()],
    ])
    const ref = kit.spawn(
      Behaviors.supervise(
        Behaviors.receive<string>(async (message) => {
          heard.push(message)
          await gates.get(message)?.passed
          return Behaviors.same
        }),
      ).onFailure(SupervisorStrategy.resume),
      'waiting',
      { handlerTimeoutMs: 100 },
    )
    for (const message of ['first', 'second', 'third']) ref.tell(message)
    await kit.clock.advance(150)
    expect(heard).toEqual(['first', 'second'])

    gates.get('first')?.open()
    await kit.settle()
    expect(heard).toEqual(['first', 'second'])
    gates.get('second')?.open()
    await kit.settle()

    expect(heard).toEqual(['first', 'second', 'third'])
  })

  it('is reported with its message when it declines it', async () => {
    await using kit = ActorTestKit.create()
    const ref = kit.spawn(Behaviors.receive<string>(() => Promise.resolve(Behaviors.unhandled)))

    ref.tell('strange')
    await kit.settle()

    expect(kit.unhandled.map(({ message }) => message)).toEqual(['strange'])
  })

  it('is never entered twice at once, whatever comes meanwhile', async () => {
    await using kit = ActorTestKit.create()
    let open = 0
    let most = 0
    let handled = 0
    const ref = kit.spawn(
      Behaviors.setup<string>((context) => {
        context.timers.startTimerWithFixedDelay('tick', 'tick', 3)
        return Behaviors.receive(async (message) => {
          most = Math.max(most, ++open)
          handled++
          if (message === 'a' || message === 'b') {
            context.pipeToSelf(
              Promise.resolve(),
              () => 'piped',
              () => 'error',
            )
            for (let i = 0; i < 5; i++) await Promise.resolve()
          }
          open--
          return Behaviors.same
        })
      }),
    )

    for (let i = 0; i < 100; i++) {
      ref.tell(i % 2 === 0 ? 'a' : 'b')
      if (i % 10 === 0) await kit.clock.advance(5)
    }
    await kit.settle()

    expect(most).toBe(1)
    expect(handled).toBeGreaterThan(200)
  })
})
