const { Client } = require('tidewire')

const [url, topic] = process.argv.slice(2)
void (async () => {
  const imported = await import('tidewire')
  if (imported.Client !== Client) throw new Error('what is imported is not what is required')
  const { rounds } = await import('./rounds.mjs')
  console.log(`read ${await rounds(url, topic)}`)
})()
