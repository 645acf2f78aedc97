"""The door for ISO 8583: messages of terminals and switches become payments, their replies messages."""
