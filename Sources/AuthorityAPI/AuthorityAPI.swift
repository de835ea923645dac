enum AuthorityAPIRoom {}
