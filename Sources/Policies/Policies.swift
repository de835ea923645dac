enum PoliciesRoom {}
