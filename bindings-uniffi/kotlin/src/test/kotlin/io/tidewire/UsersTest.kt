package io.tidewire

import kotlin.time.Duration.Companion.hours
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.assertThrows

/** Users, tokens and rights, against a server that asks for them. */
@Timeout(120)
class UsersTest {
    @Test
    fun `a user may what its grants say, until it is deleted`(): Unit = TestServer(secured = true).use { server ->
        runBlocking {
            val refused = assertThrows<TidewireException> { runBlocking { Client.connect(server.url) } }
            assertEquals("auth", refused.kind)
            Client.connect(server.rootUrl).use { root ->
                root.createTopic("seen")
                val made = root.createUser("ada", "a long password", listOf("read,write topic default/seen"))
                assertEquals("ada", made.name)
                assertEquals(listOf("read,write topic default/seen"), root.describeUser("ada").grants)
                val token = root.createToken("laptop", user = "ada", lifetime = 1.hours)
                assertNotNull(token.token.expiresUs)
                for (options in listOf(mapOf("user" to "ada", "secret" to "a long password"), mapOf("secret" to token.secret))) {
                    Client.connect(server.url, options).use { ada ->
                        ada.producer("seen").use { it.send("hello") }
                        val denied = assertThrows<TidewireException> { runBlocking { ada.createTopic("other") } }
                        assertEquals(ErrorCode.DENIED, denied.code)
                    }
                }
                assertEquals(emptyList<String>(), root.changeGrants("ada", revoke = listOf("read,write topic default/seen")))
                root.deleteToken(root.listTokens("ada").single().id)
                assertFalse(root.enableUser("ada", false).enabled)
                root.changePassword("another password", user = "ada")
                root.deleteUser("ada")
                assertEquals(listOf("root"), root.listUsers().map { it.name })
            }
        }
    }
}
