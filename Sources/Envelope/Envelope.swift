enum EnvelopeRoom {}
