{{ empty_erasure_log('erased_training_rows') }}
