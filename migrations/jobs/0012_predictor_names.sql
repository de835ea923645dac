-- A predictor's name is its account's alone, whatever its ARN ends in: the API looks for it before it accepts another.

CREATE INDEX resources_predictor_name ON resources (account, name) WHERE type = 'predictor';
