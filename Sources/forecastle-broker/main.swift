print("forecastle-broker")
