#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace t2v {

/// The head of an answer with content.
struct HttpResponse {
  long status = 0;         ///< 200, or 206 for the part that was asked for
  int64_t length = -1;     ///< of the content in bytes; -1 if the server does not say
  std::string range = {};  ///< Content-Range; "" without one
};

/// A transfer that ended early and may succeed when it is tried again.
struct TransferFailed {
  std::string reason;      ///< "the connection was closed", "status 503"
  long status = 0;         ///< of HTTP; 0: no answer
  double retry_after = 0;  ///< seconds that the server asks to wait
};

struct HttpOptions {
  std::string endpoint;          ///< the server that every URL begins with
  std::string token;             ///< shown to the endpoint alone, not where it redirects to; empty: none
  int64_t timeout_seconds = 10;  ///< to connect, and without a byte
  const std::atomic<bool>* stop = nullptr;
};

/// HTTP(S) GETs over connections that are kept. Redirects are followed, but not from https to http.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  using OnHead = std::function<void(const HttpResponse&)>;
  using OnBody = std::function<void(std::string_view)>;

  /// The content at `url` from byte `offset` on: first its head, then its bytes piece by piece. Exceptions of
  /// the callbacks come out. Error (kNetwork) if trying again is useless; TransferFailed; Stopped.
  void get(const std::string& url, int64_t offset, const OnHead& on_head, const OnBody& on_body);
  /// The whole of a text of at most `largest` bytes. Errors as get().
  std::string get_text(const std::string& url, size_t largest);

 private:
  struct Transfer;
  void perform(const std::string& url, int64_t offset, Transfer& transfer);

  HttpOptions options_;
  void* curl_ = nullptr;
};

/// `url` as it may be shown: without the part after "?", which may grant access.
std::string shown_url(const std::string& url);

}  // namespace t2v
