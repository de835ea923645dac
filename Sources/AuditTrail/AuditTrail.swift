enum AuditTrailRoom {}
