/**
 * Lets instances of `refClass` print as their text instead of the whole world that hangs on them:
 * Node asks for a method of this name before it prints an object.
 */
export function printAsText(refClass: { readonly prototype: { toString(): string } }): void {
  Object.defineProperty(refClass.prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: { toString(): string }): string {
      return `ActorRef(${this.toString()})`
    },
  })
}
