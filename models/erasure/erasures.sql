{{ empty_erasure_log('erasures') }}
