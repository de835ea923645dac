enum EnvelopeKMSRoom {}
