#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace t2v {

/// The head of an answer with content: status 200, or 206 for the part that was asked for.
struct HttpResponse {
  long status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case

  /// The value of a header; "" if it is not there.
  std::string header(const std::string& name) const;
};

/// A transfer that ended early and may succeed when it is tried again.
struct TransferFailed {
  std::string reason;      ///< "the connection was closed", "status 503"
  long status = 0;         ///< of HTTP; 0: no answer
  double retry_after = 0;  ///< seconds that the server asks to wait
};

struct HttpOptions {
  std::string endpoint;          ///< whoever answers there, and nobody else, is shown the token
  std::string token;             ///< empty: none
  int64_t timeout_seconds = 10;  ///< to connect, and without a byte
  const std::atomic<bool>* stop = nullptr;
};

/// HTTP(S) GETs over connections that are kept. Follows redirects itself: never from https to http, and
/// without the token where scheme, host or port are not the endpoint's.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  using OnHead = std::function<void(const HttpResponse&)>;
  using OnBody = std::function<void(std::string_view)>;

  /// The content at `url` from byte `offset` on: first its head, then its bytes piece by piece. What the
  /// callbacks throw comes out. Error (kNetwork) if trying again is useless; TransferFailed; Stopped.
  void get(const std::string& url, int64_t offset, const OnHead& on_head, const OnBody& on_body);
  /// The whole of a text of at most `largest` bytes.
  std::string get_text(const std::string& url, size_t largest);

 private:
  struct Transfer;
  void perform(Transfer& transfer, int64_t offset);

  HttpOptions options_;
  std::string endpoint_origin_;
  void* curl_ = nullptr;
};

/// `url` as it may be shown: without what follows "?", which may grant access.
std::string shown_url(const std::string& url);

}  // namespace t2v
