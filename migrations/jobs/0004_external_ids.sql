-- The ExternalId that the service names when it assumes roles of a customer's account at AWS. Made once, never changed: trust
-- policies of customers hold it.

CREATE TABLE external_id (
    account    text        NOT NULL PRIMARY KEY CHECK (account ~ '^[0-9]{12}$'),
    -- Two customers with one id could use each other's roles.
    value      text        NOT NULL UNIQUE CHECK (value ~ '^[A-Za-z0-9_+=,.@:/-]{16,64}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);
