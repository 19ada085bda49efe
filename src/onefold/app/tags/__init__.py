"""Tags as people see them: how they are doing, who reads them."""
