// Imported first by every script, so that an old Node gets one clear sentence instead of an error
// about syntax. For the same reason: no newer syntax than ES2015 and no imports in this file.
var version = process.versions.node.split('.').map(Number)

if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  console.error(
    'Node ' +
      process.versions.node +
      ' is too old: install Node 20.19 or newer (https://nodejs.org), then run the command again.',
  )
  process.exit(1)
}
