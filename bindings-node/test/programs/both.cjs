// Required and imported: one instance of everything.
const required = require('../..')

void (async () => {
  const imported = await import('../../dist/index.mjs')
  for (const name of Object.keys(required)) {
    if (required[name] !== imported[name]) throw new Error(`${name} differs`)
  }
  for (const name of ['Client', 'Producer', 'Consumer', 'TidewireError', 'Code']) {
    if (!(name in required)) throw new Error(`${name} is not exported`)
  }
  const client = await required.Client.connect(process.argv[2])
  if (!(client instanceof imported.Client)) throw new Error('another class')
  await client.close()
  console.log('the same classes')
})()
