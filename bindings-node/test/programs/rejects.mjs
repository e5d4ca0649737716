// Nobody catches it.
import { Client } from '../../dist/index.mjs'

const client = await Client.connect(process.argv[2])
void client.producer('nowhere')
setInterval(() => {}, 1000)
